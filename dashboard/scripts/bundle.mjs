// publish: copies dist/ to where the bridge serves it from; check: fails when a fresh build differs from that copy.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const published = join(root, "../services/ws_bridge/src/tickstream/ws_bridge/static");
const javascriptLimit = 250_000;

/** Every file below `folder` as a map of its relative path to its bytes. */
function read(folder) {
  const files = readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
  return new Map(files.map((path) => [relative(folder, path), readFileSync(path)]));
}

function publish() {
  rmSync(published, { recursive: true, force: true });
  cpSync(join(root, "dist"), published, { recursive: true });
  console.log(`published to ${relative(root, published)}`);
}

function check() {
  const fresh = mkdtempSync(join(tmpdir(), "dashboard-"));
  try {
    const vite = join(root, "node_modules/vite/bin/vite.js");
    const build = ["build", "--outDir", fresh, "--emptyOutDir", "--logLevel", "error"];
    execFileSync(process.execPath, [vite, ...build], { cwd: root, stdio: "inherit" });
    return differences(read(fresh), read(published));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function differences(fresh, committed) {
  const problems = [];
  for (const [name, bytes] of fresh) {
    if (!committed.has(name)) problems.push(`${name} is missing from the committed bundle`);
    else if (!bytes.equals(committed.get(name))) problems.push(`${name} is stale`);
  }
  for (const name of committed.keys()) {
    if (!fresh.has(name)) problems.push(`${name} is in the committed bundle and not in the build`);
  }
  const javascript = [...fresh].filter(([name]) => name.endsWith(".js"));
  const size = javascript.reduce((sum, [, bytes]) => sum + gzipSync(bytes).length, 0);
  if (size > javascriptLimit)
    problems.push(`JavaScript is ${size} bytes gzipped, the limit is ${javascriptLimit}`);
  return problems;
}

const command = process.argv[2];
if (command === "publish") publish();
else if (command === "check") {
  const problems = check();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error("run `npm run build` in dashboard/ and commit the result");
    process.exit(1);
  }
  console.log("the committed bundle is what the sources build to");
} else {
  console.error(`bundle.mjs takes publish or check, was ${command}`);
  process.exit(2);
}
