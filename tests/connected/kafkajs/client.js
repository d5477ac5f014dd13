// Somebody outside who speaks by kafkajs: says what comes on stdin, tells on stdout what it hears. A line is a JSON object.
"use strict";

const readline = require("node:readline");
const { Kafka, logLevel } = require("kafkajs");

const told = JSON.parse(process.argv[2]);

const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const kafka = new Kafka({
  clientId: "kafkajs",
  brokers: told.servers.split(","),
  logLevel: logLevel.ERROR,
  ...(told.user
    ? { ssl: false, sasl: { mechanism: told.mechanism.toLowerCase(), username: told.user, password: told.password } }
    : {}),
});
const producer = kafka.producer(); // by its own partitioner
const consumer = kafka.consumer({ groupId: told.group });

// A header's value is a buffer, or a list of them where a name stands twice.
const text = (value) => String(Array.isArray(value) ? value[value.length - 1] : value);

async function main() {
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topics: told.topics, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) =>
      tell({
        topic,
        type: text(message.headers.ce_type),
        value: message.value.toString("utf8"),
      }),
  });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { topic, messages } = JSON.parse(line);
    const sent = await producer.send({ topic, acks: -1, messages });
    tell({ sent: messages.length, partitions: sent.map((one) => one.partition) });
  }
  await consumer.disconnect();
  await producer.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
