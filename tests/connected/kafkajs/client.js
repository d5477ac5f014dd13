// Systems outside that speak by kafkajs, each by the module that `hotline login add` printed for its login: ./NAME.js.
// Says what comes on stdin, tells on stdout what each of them hears. A line is a JSON object.
"use strict";

const readline = require("node:readline");

const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

// A header's value is a buffer, or a list of them where a name stands twice.
const text = (value) => String(Array.isArray(value) ? value[value.length - 1] : value);

async function open(system) {
  const { consumer, subscription, producer } = require(`./${system}.js`);
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe(subscription);
  await consumer.run({
    eachMessage: async ({ message }) =>
      tell({ system, type: text(message.headers.ce_type), value: message.value.toString("utf8") }),
  });
  return { consumer, producer };
}

async function main() {
  const names = process.argv.slice(2);
  const opened = await Promise.all(names.map(open));
  const systems = Object.fromEntries(names.map((name, number) => [name, opened[number]]));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { system, topic, messages } = JSON.parse(line);
    await systems[system].producer.send({ topic, acks: -1, messages });
    tell({ sent: messages.length });
  }
  await Promise.all(opened.flatMap(({ consumer, producer }) => [consumer.disconnect(), producer.disconnect()]));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
