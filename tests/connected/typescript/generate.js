// Types of every schema of the contract: node generate.js asyncapi.json types.ts
"use strict";

const { readFileSync, writeFileSync } = require("node:fs");
const { compile } = require("json-schema-to-typescript");

const [contract, made] = process.argv.slice(2);
const { components } = JSON.parse(readFileSync(contract, "utf8"));
const whole = {
  title: "AnySchema",
  oneOf: Object.keys(components.schemas).map((name) => ({ $ref: `#/components/schemas/${name}` })),
  components: { schemas: components.schemas },
};

compile(whole, "AnySchema", { additionalProperties: false, bannerComment: "" }).then((text) =>
  writeFileSync(made, text),
);
