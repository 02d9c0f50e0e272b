/** Short synthetic sounds, off until somebody asks for them. */
import { setText } from "../common/dom.ts";

const KEY = "rookery.sound";
/** More at once would only be loud. */
const VOICES_MAX = 12;

type Blip = {
  readonly wave: OscillatorType;
  readonly fromHz: number;
  readonly toHz: number;
  readonly seconds: number;
  readonly volume: number;
};

const BLIPS = {
  shot: { wave: "square", fromHz: 620, toHz: 180, seconds: 0.09, volume: 0.05 },
  hit: { wave: "triangle", fromHz: 980, toHz: 1_320, seconds: 0.08, volume: 0.12 },
  hurt: { wave: "sawtooth", fromHz: 170, toHz: 70, seconds: 0.16, volume: 0.12 },
  death: { wave: "sawtooth", fromHz: 300, toHz: 40, seconds: 0.5, volume: 0.12 },
} as const satisfies Record<string, Blip>;

export class Sound {
  readonly #button: HTMLButtonElement;
  #context: AudioContext | undefined;
  #isOn = localStorage.getItem(KEY) === "on";
  #voices = 0;

  constructor(button: HTMLButtonElement, signal: AbortSignal) {
    this.#button = button;
    this.#label();
    const toggle = () => {
      this.#isOn = !this.#isOn;
      localStorage.setItem(KEY, this.#isOn ? "on" : "off");
      this.#label();
      button.blur();
    };
    button.addEventListener("click", toggle, { signal });
  }

  play(name: keyof typeof BLIPS): void {
    if (!this.#isOn || this.#voices >= VOICES_MAX) return;
    this.#context ??= new AudioContext();
    const { wave, fromHz, toHz, seconds, volume } = BLIPS[name];
    const { currentTime, destination } = this.#context;
    const tone = new OscillatorNode(this.#context, { type: wave, frequency: fromHz });
    const gain = new GainNode(this.#context, { gain: volume });
    tone.frequency.exponentialRampToValueAtTime(toHz, currentTime + seconds);
    gain.gain.exponentialRampToValueAtTime(0.001, currentTime + seconds);
    tone.connect(gain).connect(destination);
    tone.onended = () => {
      this.#voices -= 1;
    };
    this.#voices += 1;
    tone.start();
    tone.stop(currentTime + seconds);
  }

  #label(): void {
    setText(this.#button, this.#isOn ? "Sound on" : "Sound off");
    this.#button.setAttribute("aria-pressed", String(this.#isOn));
  }
}
