/** 32-bit words, little end first, as many as come. */
export class Words {
  #all = new Uint8Array(1 << 16);
  #length = 0;

  add(...values: readonly number[]): void {
    const at = this.#more(values.length);
    values.forEach((v, i) => {
      at.setUint32(4 * i, v, true);
    });
  }

  float(value: number): void {
    this.#more(1).setFloat32(0, value, true);
  }

  /** Of 64 bits. */
  long(value: number): void {
    this.add(value % 2 ** 32, Math.floor(value / 2 ** 32));
  }

  /** Its length in bytes, and the bytes in UTF-8. */
  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.add(bytes.length);
    this.copy(bytes, Math.ceil(bytes.length / 4));
  }

  /** Bytes, with zeros behind them up to a number of words. */
  copy(bytes: Uint8Array, words: number): void {
    const { byteOffset } = this.#more(words);
    this.#all.set(bytes, byteOffset);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#all.slice(0, this.#length);
  }

  #more(words: number): DataView {
    const from = this.#length;
    this.#length += 4 * words;
    if (this.#length > this.#all.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#all.subarray(0, from));
      this.#all = larger;
    }
    return new DataView(this.#all.buffer, from, 4 * words);
  }
}
