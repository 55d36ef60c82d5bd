import { useRef } from "preact/hooks";
import { api, type Model } from "../api";
import { brief, count, short, shown } from "../format";
import { useLoad, useStored } from "../load";
import { CommandCard } from "../parts/command_card";
import { Command, Empty, Failure, Slider, Waiting } from "../parts/controls";
import { Distribution } from "../parts/distribution";
import { Editor, type EditorHandle } from "../parts/editor";
import { kLevels } from "../surprise";
import { kSettings, useWriting, type Passage, type Settings, type Writing } from "../writing";

/** Writes together with a model. */
export function Write() {
  const models = useLoad(api.models, []);
  const [id, setId] = useStored("rune-model", "");
  if (!models.value) return <Waiting loaded={models} what="models" />;
  const model = models.value.find((model) => model.id === id) ?? models.value[0];
  if (!model) {
    return (
      <Empty title="No model writes here">
        <p>This server shows runs only. Start one with a model, a run directory or a .safetensors file:</p>
        <Command text="rune serve runs/book" />
      </Empty>
    );
  }
  return <Desk key={model.id} model={model} models={models.value} chooseModel={setId} />;
}

interface ModelProps {
  model: Model;
  models: Model[];
  chooseModel: (id: string) => void;
}
type Change = (change: Partial<Settings>) => void;

function Desk({ model, models, chooseModel }: ModelProps) {
  const [settings, setSettings] = useStored<Settings>("rune-settings", kSettings);
  const editor = useRef<EditorHandle>(null);
  const writing = useWriting(model, settings, (place) => editor.current?.moveTo(place));
  const { text, settled, spot, passage, drawing, scored } = writing;
  const set: Change = (change) => setSettings({ ...settings, ...change });
  const writeOn = () => void writing.writeAt(editor.current?.caret() ?? text.length);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      writeOn();
    } else if (event.key === "Escape") {
      writing.stop();
    }
  };
  const begin = passage?.request.prompt.length ?? 0;
  return (
    <div class="desk" onKeyDown={onKeyDown}>
      <section class="card page" aria-label="Text">
        <Editor
          ref={editor}
          written={passage && [begin, begin + passage.text.length]}
          scored={settings.colored ? scored : undefined}
          onEdit={writing.edit}
          onSpot={writing.lookAt}
          {...{ text, spot }}
        />
        {writing.error && <Failure error={writing.error} />}
        <Bar {...{ writing, writeOn, settings, set }} />
        <div class="bar said" role="status">
          {passage && !writing.writing && <Provenance passage={passage} keepSeed={(seed) => set({ seed })} />}
          {writing.unknown.length > 0 && (
            <span>
              The model does not know {writing.unknown.map((c) => `“${shown(c)}”`).join(", ")} and passes over it.
            </span>
          )}
          {settings.colored && <Scale />}
        </div>
      </section>
      <aside class="stack" aria-label="How it writes">
        <section class="card">
          <ModelChoice {...{ model, models, chooseModel }} />
          <Sliders {...{ settings, set, alphabet: model.alphabet }} />
        </section>
        <Distribution
          {...{ model: model.id, text: settled, spot, sampling: settings, choose: writing.choose, drawing }}
        />
        <CommandCard request={passage?.request ?? writing.request} />
      </aside>
    </div>
  );
}

interface BarProps {
  writing: Writing;
  writeOn: () => void;
  settings: Settings;
  set: Change;
}
function Bar({ writing, writeOn, settings, set }: BarProps) {
  return (
    <div class="bar">
      {writing.writing ? (
        <button class="primary" onClick={writing.stop}>
          Stop <kbd>Esc</kbd>
        </button>
      ) : (
        <button class="primary" onClick={writeOn}>
          Write <kbd>Ctrl ↵</kbd>
        </button>
      )}
      <button onClick={writing.writeAgain} disabled={!writing.passage}>
        Write again
      </button>
      <button onClick={writing.undo} disabled={!writing.canUndo}>
        Undo
      </button>
      <label class="check">
        <input
          type="checkbox"
          checked={settings.colored}
          onChange={(event) => set({ colored: event.currentTarget.checked })}
        />
        Colour by surprise
      </label>
    </div>
  );
}

function ModelChoice({ model, models, chooseModel }: ModelProps) {
  return (
    <>
      <label class="field">
        Model
        <select value={model.id} onChange={(event) => chooseModel(event.currentTarget.value)}>
          {models.map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <p class="muted">
        {model.cell} {model.layers} × {model.hidden_size} · {short(model.parameters)} parameters ·{" "}
        {count(model.alphabet)} characters
      </p>
    </>
  );
}

interface SlidersProps {
  settings: Settings;
  set: Change;
  alphabet: number;
}
function Sliders({ settings, set, alphabet }: SlidersProps) {
  const most = Math.min(alphabet, 100); // the slider's end stands for all
  return (
    <>
      <Slider
        label="Temperature"
        text={settings.temperature === 0 ? "0: the most probable" : settings.temperature.toFixed(2)}
        {...{ value: settings.temperature, min: 0, max: 2, step: 0.05, onInput: (temperature) => set({ temperature }) }}
      />
      <Slider
        label="Top-k"
        text={settings.top_k === 0 ? "all" : count(settings.top_k)}
        {...{ value: settings.top_k || most, min: 1, max: most, step: 1 }}
        onInput={(top_k) => set({ top_k: top_k === most ? 0 : top_k })}
      />
      <Slider
        label="Top-p"
        text={settings.top_p === 1 ? "all" : settings.top_p.toFixed(2)}
        {...{ value: settings.top_p, min: 0.05, max: 1, step: 0.01, onInput: (top_p) => set({ top_p }) }}
      />
      <div class="pair">
        <Slider
          label="Length"
          text={count(settings.length)}
          {...{ value: settings.length, min: 20, max: 2000, step: 20, onInput: (length) => set({ length }) }}
        />
        <label class="field">
          Seed
          <input
            inputMode="numeric"
            pattern="[0-9]*"
            placeholder="drawn anew"
            value={settings.seed}
            onInput={(event) => set({ seed: event.currentTarget.value })}
          />
        </label>
      </div>
    </>
  );
}

/** Where a passage came from. */
function Provenance({ passage, keepSeed }: { passage: Passage; keepSeed: (seed: string) => void }) {
  const { request, text, seconds } = passage;
  return (
    <span>
      {count([...text].length)} characters in {brief(seconds)} · seed <b class="seed">{request.seed}</b>{" "}
      <button class="quiet" onClick={() => keepSeed(String(request.seed))}>
        Keep this seed
      </button>
    </span>
  );
}

function Scale() {
  const levels = Array.from({ length: kLevels }, (_, level) => level);
  return (
    <span class="scale">
      <span>Surprise in bits</span>
      {levels.map((level) => (
        <span key={level} class={`surprise-${level}`}>
          {level === kLevels - 1 ? `${level}+` : level}
        </span>
      ))}
    </span>
  );
}
