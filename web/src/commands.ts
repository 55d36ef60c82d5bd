import type { CompletionRequest } from "./api";

const shellQuoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

// A body without what is a default of the server anyway.
function bodyOf(request: CompletionRequest): Partial<CompletionRequest> {
  const { model, prompt, max_tokens, temperature, top_k, top_p, ...rest } = request;
  return {
    model,
    prompt,
    max_tokens,
    ...(temperature !== 1 ? { temperature } : {}),
    ...(top_k !== 0 ? { top_k } : {}),
    ...(top_p !== 1 ? { top_p } : {}),
    ...rest,
  };
}

export const kLanguages = [
  ["curl", "curl"],
  ["python", "Python"],
  ["cli", "rune"],
] as const;
export type Language = (typeof kLanguages)[number][0];

/** The same text from elsewhere. */
export const commandFor: Record<Language, (request: CompletionRequest, address: string, needsKey: boolean) => string> =
  {
    curl: (request, address, needsKey) =>
      [
        "curl -s -H 'Content-Type: application/json'",
        ...(needsKey ? [`-H "Authorization: Bearer $RUNE_API_KEY"`] : []),
        `${address}/v1/completions`,
        `-d ${shellQuoted(JSON.stringify(bodyOf(request)))}`,
      ].join(" \\\n  "),

    python: (request, address, needsKey) => {
      // Python reads texts and numbers as JSON writes them.
      const body = Object.entries(bodyOf(request)).map(([name, value]) => `    "${name}": ${JSON.stringify(value)},`);
      const headers = needsKey
        ? `{"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['RUNE_API_KEY']}"}`
        : `{"Content-Type": "application/json"}`;
      return [
        ...(needsKey ? ["import json, os, urllib.request"] : ["import json, urllib.request"]),
        "",
        "body = {",
        ...body,
        "}",
        `request = urllib.request.Request("${address}/v1/completions", json.dumps(body).encode(),`,
        `                                 ${headers})`,
        "with urllib.request.urlopen(request) as response:",
        `    print(json.load(response)["choices"][0]["text"])`,
      ].join("\n");
    },

    cli: ({ model, prompt, max_tokens, temperature, top_k, top_p, seed, unknown }) =>
      [
        `rune sample runs/${model}`,
        ...(prompt ? [`--prompt=${shellQuoted(prompt)}`] : []),
        `--length ${max_tokens}`,
        ...(temperature !== 1 ? [`--temperature ${temperature}`] : []),
        ...(top_k !== 0 ? [`--top-k ${top_k}`] : []),
        ...(top_p !== 1 ? [`--top-p ${top_p}`] : []),
        ...(seed !== undefined ? [`--seed ${seed}`] : []),
        ...(unknown ? [`--unknown ${unknown}`] : []),
      ].join(" \\\n  "),
  };
