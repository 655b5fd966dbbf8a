// peer -- the workloads in WebAssembly, in node: peer.c compiled by clang, see there.
//
//     node peer.mjs peer.wasm start.wasm
//
// Started by bench.c. Reads lines "workload seed calls" and answers with "nanoseconds checksum".
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [bytes, small] = process.argv.slice(2).map((path) => readFileSync(path));
const START = 5;

function instance(module) {
  return new WebAssembly.Instance(new WebAssembly.Module(module)).exports;
}

const peer = instance(bytes);

// Nanoseconds that the processor spent on this process, its threads included.
function clock() {
  const { user, system } = process.cpuUsage();
  return 1000 * (user + system);
}

// One instance for all calls: what a fresh one costs is in (f).
function run(workload, seed, calls) {
  peer.wasm_prepare(workload, seed);
  const start = clock();
  const good = peer.wasm_run(workload, calls);
  const spent = clock() - start;
  if (!good) throw new Error("a workload left its range");
  return [spent, peer.wasm_finish(workload) >>> 0];
}

// From bytes to the first result, again and again.
function startUp(seed, calls) {
  let sum = seed;
  const start = clock();
  for (let i = 0; i < calls; i++) {
    const fresh = instance(small);
    fresh.wasm_prepare(START, sum);
    fresh.wasm_run(START, 1);
    sum = fresh.wasm_finish(START) >>> 0;
  }
  return [clock() - start, sum];
}

process.stdout.write(`0 ${small.length}\n`);
createInterface({ input: process.stdin }).on("line", (line) => {
  const [workload, seed, calls] = line.split(" ").map(Number);
  const [spent, sum] = workload === START ? startUp(seed, calls) : run(workload, seed, calls);
  process.stdout.write(`${spent} ${sum}\n`);
});
