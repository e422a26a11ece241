import type { Server as HttpServer } from "node:http";

import type { Plugin } from "vite";

import { attachStandIn } from "./stand-in.ts";

/** Answers the socket in `vite` and `vite preview` with the stand-in bridge. */
export function standIn(): Plugin {
  const attach = (server: { httpServer: unknown }): void => {
    if (process.env.VITEST) return;
    attachStandIn(server.httpServer as HttpServer, {
      apiKey: process.env.STAND_IN_API_KEY,
      replayFrom: process.env.STAND_IN_REPLAY,
    });
  };
  return { name: "tickstream-stand-in", configureServer: attach, configurePreviewServer: attach };
}
