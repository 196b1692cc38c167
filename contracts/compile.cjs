// Compiles ConsortiumAnchor.sol into the artefact that the gateway ships: `node compile.cjs [where]` (make contract).
const { createHash } = require("node:crypto");
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const solc = require("solc");

const NAME = "ConsortiumAnchor";
const target = process.argv[2] ?? join(__dirname, "../gateway/chain/evm/ConsortiumAnchor.json");
const source = readFileSync(join(__dirname, `${NAME}.sol`), "utf8");
const settings = {
  evmVersion: "paris", // FISCO BCOS knows newer opcodes only behind feature switches
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { [NAME]: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
};
const input = { language: "Solidity", sources: { [`${NAME}.sol`]: { content: source } }, settings };
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const faults = output.errors ?? [];
if (faults.length) {
  for (const fault of faults) console.error(fault.formattedMessage);
  process.exit(1);
}
const { abi, evm } = output.contracts[`${NAME}.sol`][NAME];
const artefact = {
  contract: NAME,
  compiler: solc.version(),
  evm: settings.evmVersion,
  optimizer: settings.optimizer.runs,
  source: createHash("sha256").update(source).digest("hex"),
  abi,
  bytecode: `0x${evm.bytecode.object}`,
  runtime: `0x${evm.deployedBytecode.object}`,
};
writeFileSync(target, `${JSON.stringify(artefact, null, 1)}\n`);
