/** Glob pattern of Redis that only matches the text itself. */
export function escapePattern(text: string): string {
  return text.replace(/[*?[\]\\^-]/g, '\\$&')
}
