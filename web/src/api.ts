// The server's interface, as docs/server.md tells it.

export interface Report {
  step: number | null;
  epoch: number | null;
  characters: number | null;
  seconds: number | null;
  train_loss: number | null;
  validation_loss: number | null;
  learning_rate: number | null;
  gradient_norm: number | null;
  characters_per_second: number | null;
}
export type ReportKey = keyof Report;
/** The reports of a run: for each value a list, all of one length. */
export type Reports = Record<ReportKey, (number | null)[]>;

export type RunState = "live" | "finished" | "stopped" | "failed" | "interrupted";
export interface Run {
  id: string;
  name: string;
  state: RunState;
  failure: string | null;
  model: string;
  modified: number; // seconds since 1970
  reports: number;
  last: Report | null;
  best: Report | null;
  config: Record<string, string>; // in a list: where it differs from most runs
}
export interface Progress {
  step: number;
  total_steps: number;
  epoch: number;
  train_loss: number;
  validation_loss: number | null;
  learning_rate: number;
  gradient_norm: number;
  characters_per_second: number;
  seconds_left: number;
}
export interface RunDetail extends Run {
  progress: Progress | null; // where the server's own process trains it
}
export interface Sample {
  step: number;
  text: string;
}
export interface SampleRequest {
  prompt: string;
  length: number;
  temperature: number;
  seed: number;
}

export interface Model {
  id: string;
  cell: string;
  layers: number;
  hidden_size: number;
  parameters: number;
  alphabet: number;
  unit: "char" | "grapheme" | "byte" | "word";
  lowercase: boolean; // reads everything so
}
export interface CompletionRequest {
  model: string;
  prompt: string;
  max_tokens: number;
  temperature: number;
  top_k: number;
  top_p: number;
  seed?: number;
  unknown?: "skip";
  logprobs?: number;
}
export interface CompletionChunk {
  seed: number;
  choices: {
    text: string;
    logprobs: { tokens: string[]; token_logprobs: number[]; top_logprobs: Record<string, number>[] } | null;
    finish_reason: "length" | "stop" | null;
  }[];
}
export interface Candidate {
  character: string;
  probability: number;
}
export interface Score {
  characters: string[];
  surprise: number[]; // bits
  bits_per_character: number;
}

/** What the server refused, or that it does not answer (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const kKeyName = "rune-api-key";

export const key = {
  get: () => sessionStorage.getItem(kKeyName),
  set: (value: string) => sessionStorage.setItem(kKeyName, value),
  /** Called when the server wants another key than it got. */
  onRefused: () => {},
};

async function failure(response: Response): Promise<ApiError> {
  const body: { error?: { message?: string } } = await response.json().catch(() => ({}));
  return new ApiError(response.status, body.error?.message ?? `The server answered with status ${response.status}.`);
}

async function ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {};
  const given = key.get();
  if (given) headers["Authorization"] = `Bearer ${given}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const request: RequestInit = { method, headers, signal: signal ?? null };
  if (body !== undefined) request.body = JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(path, request);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "The server does not answer. Does rune still run?");
  }
  if (response.ok) return response;
  const error = await failure(response);
  if (error.status === 401) key.onRefused();
  throw error;
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask("GET", path, undefined, signal)).json() as Promise<T>;
}

async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await ask("POST", path, body, signal)).json() as Promise<T>;
}

const behind = (step: number) => (step < 0 ? "" : `?after=${step}`);
const run = (id: string) => `/api/runs/${encodeURIComponent(id)}`;

export const api = {
  runs: async (signal?: AbortSignal) => (await get<{ runs: Run[] }>("/api/runs", signal)).runs,
  run: (id: string, signal?: AbortSignal) => get<RunDetail>(run(id), signal),
  /** Those behind a step; -1: all. */
  reports: (id: string, after: number, signal?: AbortSignal) =>
    get<Reports>(`${run(id)}/metrics${behind(after)}`, signal),
  samples: async (id: string, after: number, signal?: AbortSignal) =>
    (await get<{ samples: Sample[] }>(`${run(id)}/samples${behind(after)}`, signal)).samples,
  rename: async (id: string, name: string) =>
    (await ask("PATCH", run(id), { name })).json() as Promise<{ id: string; name: string }>,
  delete: (id: string) => ask("DELETE", run(id)),
  stop: (id: string) => post(`${run(id)}/stop`, {}),
  save: (id: string) => post(`${run(id)}/save`, {}),
  sample: (id: string, request: SampleRequest, signal?: AbortSignal) =>
    post<Sample>(`${run(id)}/sample`, request, signal),

  models: async (signal?: AbortSignal) => (await get<{ data: Model[] }>("/v1/models", signal)).data,
  /** The most probable first; count 0: all. */
  next: async (model: string, prompt: string, count: number, signal?: AbortSignal) => {
    const request = { model, prompt, count, unknown: "skip" };
    return (await post<{ characters: Candidate[] }>("/v1/next", request, signal)).characters;
  },
  score: (model: string, text: string, signal?: AbortSignal) =>
    post<Score>("/v1/score", { model, text, unknown: "skip" }, signal),

  /** What the model writes, piece by piece. */
  async *complete(request: CompletionRequest, signal: AbortSignal): AsyncGenerator<CompletionChunk> {
    const response = await ask("POST", "/v1/completions", { ...request, stream: true }, signal);
    for await (const data of events(response)) {
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data) as CompletionChunk & { error?: { message: string } };
      if (chunk.error) throw new ApiError(500, chunk.error.message);
      yield chunk;
    }
  },
};

/** The data of server-sent events. */
async function* events(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      if (part.startsWith("data: ")) yield part.slice("data: ".length);
    }
  }
}
