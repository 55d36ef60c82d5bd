// client.mjs URL KEY: drives a server with OpenAI's client; the result is JSON on standard output.
import OpenAI from "openai";

const [, , baseURL, apiKey] = process.argv;
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const results = {};

results.models = (await client.models.list()).data.map((model) => model.id);
const model = results.models[0];
const options = { model, prompt: "the ", max_tokens: 80, seed: 7, temperature: 0.8, top_p: 0.95, n: 2, stop: null };

results.whole = await client.completions.create({ ...options, logprobs: 2, echo: true });

results.streamed = ["", ""];
results.reasons = [null, null];
const stream = await client.completions.create({ ...options, stream: true, stream_options: { include_usage: true } });
for await (const part of stream) {
  if (part.usage) results.usage = part.usage;
  for (const choice of part.choices) {
    results.streamed[choice.index] += choice.text;
    results.reasons[choice.index] = choice.finish_reason;
  }
}

const refusal = async (asked) => {
  try {
    await client.completions.create(asked);
    return null;
  } catch (error) {
    return { name: error.constructor.name, status: error.status, param: error.param, code: error.code };
  }
};
results.unknown = await refusal({ ...options, model: "other" });
results.wrong = await refusal({ ...options, temperature: -1 });

const impatient = await client.completions.create({ ...options, n: 1, max_tokens: 60000, stream: true });
for await (const part of impatient) {
  results.begun = part.object;
  break; // closes the connection
}

const stranger = new OpenAI({ baseURL, apiKey: "sixteen-wrong-letters", maxRetries: 0 });
try {
  await stranger.models.list();
} catch (error) {
  results.stranger = error.constructor.name;
}
console.log(JSON.stringify(results));
