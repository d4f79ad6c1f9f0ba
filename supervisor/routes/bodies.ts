/** Bodies of two locations: `at` for the path itself, `below` for everything below it. */
export interface Bodies {
  at: string[]
  below: string[]
}

/** Both with lines above. */
export function withSnippet({ at, below }: Bodies, snippet: string[]): Bodies {
  return { at: [...snippet, ...at], below: [...snippet, ...below] }
}

/** The same body for both. */
export function same(body: string[]): Bodies {
  return { at: body, below: body }
}
