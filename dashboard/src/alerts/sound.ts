const notes = [880, 1174.66];
const noteSeconds = 0.14;
const loudness = 0.08;

let context: AudioContext | undefined;

/** Two short notes. Browsers let a page be heard once it has been touched; until then it stays silent. */
export function chime(): void {
  context ??= new AudioContext();
  const { currentTime, destination } = context;
  void context.resume();
  for (const [index, frequency] of notes.entries()) {
    const from = currentTime + index * noteSeconds;
    const volume = context.createGain();
    volume.gain.setValueAtTime(loudness, from);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + noteSeconds);
    volume.connect(destination);
    const note = context.createOscillator();
    note.frequency.value = frequency;
    note.connect(volume);
    note.start(from);
    note.stop(from + noteSeconds);
  }
}
