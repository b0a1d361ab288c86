// How loud a recording is while it is made, and whether it is good enough to know a voice by.

const EVERY = 50; // milliseconds
const SPEECH = 0.012; // root mean square; a quiet room is a tenth of it
const CLIPPED = 0.985;
const CLIPPED_SHARE = 0.05; // of the time that somebody speaks
const ENOUGH = 5; // seconds of speech
const AUDIBLE = 1; // seconds; with less of it nobody was near the microphone

export class Level {
  // `told(level, seconds)` is called 20 times a second, the level from 0 to 1.
  constructor(stream, told) {
    this.context = new AudioContext();
    this.context.resume(); // Safari starts it asleep
    this.analyser = this.context.createAnalyser();
    this.context.createMediaStreamSource(stream).connect(this.analyser);
    this.wave = new Float32Array(this.analyser.fftSize);
    this.speech = 0;
    this.clipped = 0;
    this.started = this.last = performance.now();
    this.told = told;
    this.timer = setInterval(() => this.measure(), EVERY);
  }

  measure() {
    const now = performance.now();
    const passed = Math.min(now - this.last, 4 * EVERY) / 1000; // a page in the background sleeps
    this.last = now;
    this.analyser.getFloatTimeDomainData(this.wave);
    const power = this.wave.reduce((sum, value) => sum + value * value, 0) / this.wave.length;
    const loudness = Math.sqrt(power);
    if (loudness >= SPEECH) this.speech += passed;
    if (this.wave.some((value) => Math.abs(value) >= CLIPPED)) this.clipped += passed;
    // Ears hear ratios: -60 dB is 0, full scale is 1.
    const level = Math.min(1, Math.max(0, 1 + Math.log10(loudness + 1e-9) / 3));
    this.told(level, (now - this.started) / 1000);
  }

  stop() {
    clearInterval(this.timer);
    this.context.close();
  }

  // "good", "clipping", "quiet" or "short"; people speak half of the time, in syllables.
  verdict() {
    if (this.clipped > CLIPPED_SHARE * this.speech) return "clipping";
    if (this.speech >= ENOUGH) return "good";
    const lasted = (this.last - this.started) / 1000;
    return this.speech < Math.min(AUDIBLE, lasted / 4) ? "quiet" : "short";
  }
}
