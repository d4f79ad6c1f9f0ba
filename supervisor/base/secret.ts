/** Text shown instead of a secret. */
export const secretMask = '••••••'

/** Text that must not be printed. In messages, logs and JSON it is a mask; only `reveal` returns it. */
export interface Secret {
  reveal(): string
  toString(): string
  toJSON(): string
}

/** Secret with this text, for example from a file. */
export function createSecret(text: string): Secret {
  const mask = () => secretMask
  return Object.freeze({ reveal: () => text, toString: mask, toJSON: mask })
}

/** The text of a value that may be a secret. Only the call that hands it to a program needs it. */
export function revealed(value: string | Secret): string {
  return typeof value === 'string' ? value : value.reveal()
}
