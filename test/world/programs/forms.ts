import assert from 'node:assert/strict'

/** Value of a hidden field of an HTML form. */
export function fieldOf(html: string, name: string): string {
  const tag = [...html.matchAll(/<input\b[^>]*>/g)]
    .map(([found]) => found)
    .find(found => found.includes(`name="${name}"`))
  const value = /\bvalue="([^"]*)"/.exec(tag ?? '')?.[1]
  assert.ok(value, `no field ${name} in ${html}`)
  return value
}
