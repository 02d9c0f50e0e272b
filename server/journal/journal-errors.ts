/** What can be wrong with a journal, beyond what the file system itself reports. */

/** The files hold something that no crash explains: nothing is restored from them, and they are kept for a look. */
export class JournalDamaged extends Error {
  readonly file: string;
  /** In bytes, from the start of the file. */
  readonly offset: number;

  constructor(file: string, offset: number, reason: string) {
    super(`The journal is damaged: ${file}, byte ${offset}: ${reason}.`);
    this.name = "JournalDamaged";
    this.file = file;
    this.offset = offset;
  }
}

/** The room has another owner by now: who gets this must not write, or delete, anything of the room any more. */
export class JournalSuperseded extends Error {
  constructor(directory: string, epoch: number) {
    super(`The journal in ${directory} has another owner than that of epoch ${epoch}.`);
    this.name = "JournalSuperseded";
  }
}

/** A record or a segment would grow beyond its limit. */
export class JournalTooLarge extends Error {
  constructor(what: string, bytesMax: number) {
    super(`${what} would have more than ${bytesMax} bytes.`);
    this.name = "JournalTooLarge";
  }
}
