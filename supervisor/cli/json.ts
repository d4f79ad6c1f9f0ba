/** Form of the result of a command: for people or for programs. */
export type OutputFormat = 'text' | 'json'

/** Result of a command, for programs. */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
