import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Socket;
import io.socket.engineio.client.Transport;
import java.net.URI;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * The stock Java client: connects, subscribes, and prints everything it hears as lines of JSON.
 *
 * <p>Usage: java Client URL TRANSPORTS REQUEST OPTIONS, as of client.mjs; there is no stock parser of MessagePack.
 */
public final class Client {
  private static Object resume;

  private static synchronized void say(String event, Object data) {
    System.out.println(new JSONArray().put(event).put(data));
  }

  public static void main(String[] arguments) throws Exception {
    JSONObject request = new JSONObject(arguments[2]);
    JSONObject options = new JSONObject(arguments[3]);
    IO.Options how = new IO.Options();
    how.transports = arguments[1].split(",");
    how.reconnection = options.optBoolean("comeBack");
    how.reconnectionDelay = 100;
    how.reconnectionDelayMax = 500;
    JSONObject auth = options.optJSONObject("auth");
    if (auth != null) how.auth = Map.of("apiKey", auth.getString("apiKey"));
    Socket socket = IO.socket(URI.create(arguments[0]), how);
    socket.on(Socket.EVENT_CONNECT_ERROR, said -> {
      say("connect_error", said[0] instanceof JSONObject ? said[0] : said[0].toString());
      if (!how.reconnection) System.exit(0);
    });
    socket.on(Socket.EVENT_CONNECT, nothing -> {
      say("connect", new JSONArray());
      put(request, "resume", resume);
      socket.emit("subscribe", request, (Ack) answer -> {
        resume = ((JSONObject) answer[0]).opt("resume");
        say("ack", answer[0]);
        if (options.optBoolean("odd")) sendOdd(socket);
      });
    });
    socket.io().on("transport", said ->
        ((Transport) said[0]).on("open", nothing -> say("transport", ((Transport) said[0]).name)));
    socket.onAnyIncoming(event -> {
      if (event[1] instanceof JSONObject && ((JSONObject) event[1]).has("resume")) {
        resume = ((JSONObject) event[1]).opt("resume");
      }
      say((String) event[0], event[1]);
    });
    socket.on(Socket.EVENT_DISCONNECT, reason -> {
      say("disconnect", reason[0]);
      if (!how.reconnection) System.exit(0);
    });
    socket.connect();
    while (System.in.read() != -1) {}
    if (how.reconnection) System.exit(0);
    socket.disconnect();
  }

  private static void sendOdd(Socket socket) {
    byte[] bytes = {1, 2, 3};
    Ack told = answer -> say("odd", answer[0]);
    JSONObject binary = new JSONObject();
    put(binary, "channel", "ticks");
    put(binary, "symbols", new JSONArray().put(bytes));
    socket.emit("time", bytes);
    socket.emit("time", new Object[] {bytes}, told);
    socket.emit("subscribe", binary, told);
    socket.emit("shout", "é\u0000😀", null, 1e300, told);
    socket.emit("time", new Object[] {}, told);
  }

  private static void put(JSONObject object, String name, Object value) {
    try {
      object.put(name, value);
    } catch (org.json.JSONException error) {
      throw new IllegalStateException(error);
    }
  }
}
