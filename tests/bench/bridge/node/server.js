// What one would write without the bridge: Socket.IO and KafkaJS, a room a symbol, one emit a tick.
// Usage: node server.js PORT; the trades are JSON.
import { createServer } from "node:http";
import { Kafka, logLevel } from "kafkajs";
import { Server } from "socket.io";

const topic = `${process.env.KAFKA_TOPIC_PREFIX ?? ""}stock_ticks`;
const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, httpCompression: false });

io.on("connection", (socket) => {
  socket.on("subscribe", ({ symbols }, acknowledge) => {
    socket.join(symbols);
    acknowledge({ ok: true });
  });
});

const millis = (nanos) => Math.floor(nanos / 1_000_000);

function record({ ts_event, ts_ingest, symbol, price, volume, ...rest }) {
  return { symbol, price, volume, ts_event_ms: millis(ts_event), ts_ingest_ms: millis(ts_ingest), ...rest };
}

const kafka = new Kafka({ brokers: process.env.KAFKA_BOOTSTRAP_SERVERS.split(","), logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: `${topic}-${process.pid}`, maxWaitTimeInMs: 20 });
const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
await consumer.connect();
await consumer.subscribe({ topic });
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    for (const { value } of batch.messages) {
      const trade = record(JSON.parse(value.toString()));
      io.to(trade.symbol).emit("ticks", { data: [trade] });
    }
  },
});
await joined;
http.listen(Number(process.argv[2]), "127.0.0.1");
