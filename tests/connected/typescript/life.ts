// One life by types that a generator made of the contract. It prints what closed it, as JSON.
import { Kafka, logLevel, type KafkaMessage } from "kafkajs";
import type {
  AnswerOrder,
  OrderClosed,
  RecordRequest,
  RecordVisit,
  SignOrder,
  VisitScheduledTold,
  WorkOrder,
} from "./types";

interface Told {
  servers: string;
  mechanism: string;
  user: string;
  password: string;
  group: string;
  number: string;
  complaint: string;
  topics: { requests: string; replies: string; orders: string; visits: string; results: string };
  types: Record<string, string>;
  request: RecordRequest;
}
const told = JSON.parse(process.argv[2] ?? "") as Told;

const kafka = new Kafka({
  clientId: "generated",
  brokers: told.servers.split(","),
  logLevel: logLevel.ERROR,
  ssl: false,
  sasl: { mechanism: told.mechanism.toLowerCase() as "scram-sha-512", username: told.user, password: told.password },
});
const producer = kafka.producer();
const consumer = kafka.consumer({ groupId: told.group });
consumer.on(consumer.events.CRASH, ({ payload }) => {
  console.error(payload.error);
  process.exit(1);
});
const waiting = new Map<string, (value: string) => void>();
const heard = new Map<string, string>();

function take(message: KafkaMessage): void {
  const type = String(message.headers?.["ce_type"]);
  if (String(message.key) !== told.complaint || message.value === null) return;
  heard.set(type, message.value.toString("utf8"));
  waiting.get(type)?.(message.value.toString("utf8"));
}

async function hear<T>(name: string): Promise<T> {
  const type = told.types[name] ?? name;
  const text = heard.get(type) ?? (await new Promise<string>((found) => waiting.set(type, found)));
  return JSON.parse(text) as T;
}

async function say<T>(topic: string, key: string, name: string, data: T): Promise<void> {
  const headers = {
    ce_specversion: "1.0",
    ce_type: told.types[name] ?? name,
    ce_source: "/generated/typescript",
    ce_id: `${told.number}/${name}`,
    ce_time: new Date().toISOString(),
    "content-type": "application/json",
  };
  await producer.send({ topic, acks: -1, messages: [{ key, value: JSON.stringify(data), headers }] });
}

async function main(): Promise<void> {
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topics: [told.topics.orders, told.topics.visits], fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => take(message) });

  await say<RecordRequest>(told.topics.requests, told.number, "RecordRequest", told.request);
  const order = await hear<WorkOrder>("WorkOrder");
  const about = { complaint_id: order.complaint_id, assignment: order.assignment };
  await say<SignOrder>(told.topics.replies, told.complaint, "SignOrder", about);
  await say<AnswerOrder>(told.topics.replies, told.complaint, "AnswerOrder", {
    ...about,
    result: "修好了",
    claims_solved: true,
  });
  const visit = await hear<VisitScheduledTold>("VisitScheduledTold");
  await say<RecordVisit>(told.topics.results, told.complaint, "RecordVisit", {
    complaint_id: visit.complaint_id,
    visit: visit.visit,
    attempt: visit.attempt,
    solved: true,
    satisfied: true,
  });
  const closed = await hear<OrderClosed>("OrderClosed");
  console.log(JSON.stringify({ number: closed.complaint_number, ordered: order.complaint_number, solved: closed.judgement?.solved }));
  await consumer.disconnect();
  await producer.disconnect();
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
