// Keeps one page for the time without a network: the one that says so. Prices and the dashboard itself always come from
// the server, so that neither can be stale, whatever was installed when.
const offline = ["/offline.html", "/offline.css", "/offline.js", "/favicon.svg"];
const cacheName = "offline";

async function keep() {
  const cache = await caches.open(cacheName);
  await cache.addAll(offline.map((path) => new Request(path, { cache: "no-cache" })));
}

async function fromCache(path) {
  const cache = await caches.open(cacheName);
  return (await cache.match(path)) ?? Response.error();
}

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate")
    event.respondWith(fetch(request).catch(() => fromCache("/offline.html")));
  else if (offline.includes(pathname))
    event.respondWith(fetch(request).catch(() => fromCache(pathname)));
});
