import { defineConfig } from "vitest/config";

import { contentSecurityPolicy } from "./dev/policy.ts";
import { standIn } from "./dev/plugin.ts";

// TICKSTREAM_BRIDGE=http://127.0.0.1:8080 points the development page at a running bridge instead of the stand-in.
const bridge = process.env.TICKSTREAM_BRIDGE;
const proxy = bridge ? { "/socket.io": { target: bridge, ws: true } } : {};

export default defineConfig({
  plugins: bridge ? [] : [standIn()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { host: "127.0.0.1", proxy },
  preview: {
    host: "127.0.0.1",
    proxy,
    headers: { "Content-Security-Policy": contentSecurityPolicy },
  },
  test: { include: ["src/**/*.test.ts", "dev/**/*.test.ts"], environment: "node" },
});
