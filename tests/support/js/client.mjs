// The stock JavaScript client: connects, subscribes, and prints everything it hears as lines of JSON.
// Usage: node client.mjs URL TRANSPORTS(websocket|polling|polling,websocket) REQUEST(JSON) [AUTH(JSON)]
import { io } from "socket.io-client";

const [url, transports, request, auth] = process.argv.slice(2);
const say = (event, data) => process.stdout.write(JSON.stringify([event, data]) + "\n");
const socket = io(url, {
  transports: transports.split(","),
  auth: auth === undefined ? undefined : JSON.parse(auth),
  reconnection: false,
});

socket.on("connect_error", (error) => {
  say("connect_error", { message: error.message, data: error.data ?? null });
  process.exit(0);
});
socket.on("connect", async () => {
  say("connect", { transport: socket.io.engine.transport.name });
  socket.io.engine.on("upgrade", (transport) => say("upgrade", { transport: transport.name }));
  say("ack", await socket.timeout(20_000).emitWithAck("subscribe", JSON.parse(request)));
});
socket.onAny((event, data) => say(event, data));
socket.on("disconnect", (reason) => {
  say("disconnect", { reason });
  process.exit(0);
});
process.stdin.on("end", () => socket.disconnect()).resume();
