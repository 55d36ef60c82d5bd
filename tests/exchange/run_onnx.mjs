// run_onnx.mjs CASES: runs models in onnxruntime-web. CASES is a JSON array of {file, tokens, layers, hidden, cell,
// length}; the result, on standard output, an array of
//   whole  logits of the tokens, given at once
//   steps  the same, given one by one
//   batch  the same, given at once as two equal streams
//   text   the `length` most probable tokens after them
import { readFileSync } from "node:fs";
import ort from "onnxruntime-web";

ort.env.wasm.numThreads = 1;

async function run(model) {
  const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(model.file)));
  const zeroState = (batch) => {
    const zeros = () =>
      new ort.Tensor("float32", new Float32Array(model.layers * batch * model.hidden), [model.layers, batch, model.hidden]);
    return model.cell ? { hidden: zeros(), cell: zeros() } : { hidden: zeros() };
  };
  const step = async (tokens, batch, state) => {
    const input = BigInt64Array.from(tokens, BigInt);
    const result = await session.run({ tokens: new ort.Tensor("int64", input, [tokens.length / batch, batch]), ...state });
    state.hidden = result.next_hidden;
    if (model.cell) state.cell = result.next_cell;
    return [...result.logits.data];
  };

  const whole = await step(model.tokens, 1, zeroState(1));
  const batch = await step(model.tokens.flatMap((token) => [token, token]), 2, zeroState(2));
  const state = zeroState(1);
  const steps = [];
  let logits = [];
  for (const token of model.tokens) {
    logits = await step([token], 1, state);
    steps.push(...logits);
  }
  const text = [];
  while (text.length < model.length) {
    text.push(logits.indexOf(Math.max(...logits)));
    logits = await step([text.at(-1)], 1, state);
  }
  return { whole, steps, batch, text };
}

const results = [];
for (const model of JSON.parse(readFileSync(process.argv[2]))) results.push(await run(model));
console.log(JSON.stringify(results));
