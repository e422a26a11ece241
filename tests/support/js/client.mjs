// The stock JavaScript client: connects, subscribes, and prints everything it hears as lines of JSON.
// Usage: node client.mjs URL TRANSPORTS(websocket|polling|polling,websocket) REQUEST(JSON) [OPTIONS(JSON)]
// OPTIONS: {auth, msgpack: with the stock parser, comeBack: reconnect and resume, odd: also send what makes no sense}
import { io } from "socket.io-client";
import msgpack from "socket.io-msgpack-parser";

const [url, transports, request, options] = process.argv.slice(2);
const { auth, msgpack: packed, comeBack, odd } = JSON.parse(options ?? "{}");
const say = (event, data) => process.stdout.write(JSON.stringify([event, data]) + "\n");
const socket = io(url, {
  transports: transports.split(","),
  auth,
  parser: packed ? msgpack : undefined,
  reconnection: Boolean(comeBack),
  reconnectionDelay: 100,
  reconnectionDelayMax: 500,
});

socket.on("connect_error", (error) => {
  say("connect_error", { message: error.message, data: error.data ?? null });
  if (!comeBack) process.exit(0);
});
let resume;
socket.on("connect", async () => {
  say("connect", { transport: socket.io.engine.transport.name });
  socket.io.engine.on("upgrade", (transport) => say("upgrade", { transport: transport.name }));
  const ask = (...event) => socket.timeout(20_000).emitWithAck(...event);
  await new Promise((done) => {
    // A callback: over polling the first frame may be in the same answer, and its token is the newer one.
    socket.emit("subscribe", { ...JSON.parse(request), resume }, (answer) => {
      resume = answer.resume;
      say("ack", answer);
      done();
    });
  });
  if (odd) {
    socket.volatile.emit("time", {});
    socket.emit("time", Uint8Array.of(1, 2, 3));
    say("odd", await ask("time", Uint8Array.of(1, 2, 3)));
    say("odd", await ask("subscribe", { channel: "ticks", symbols: [new Uint8Array(9)] }));
    say("odd", await ask("shout", "é\u0000😀", null, [undefined], -0, 1e300));
    say("odd", await ask("time"));
  }
});
socket.onAny((event, data) => {
  resume = data.resume ?? resume;
  say(event, data);
});
socket.on("disconnect", (reason) => {
  say("disconnect", { reason });
  if (!comeBack) process.exit(0);
});
process.stdin.on("end", () => (comeBack ? process.exit(0) : socket.disconnect())).resume();
