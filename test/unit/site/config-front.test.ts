import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { refusedOnce, yaml } from './load-config.ts'

describe('config/load: an invalid name', () => {
  const names: [string, string, string][] = [
    [
      'send_files: {/private: x}',
      '/private',
      'replace /private with a path that ends with a slash, such as /protected/',
    ],
    ['headers: {"X Y": a}', 'X Y', 'replace X Y with the name of a header'],
    ['env: {1A: a}', '1A', 'replace 1A with a variable name'],
  ]
  for (const [text, name, fix] of names) {
    it(`is the reported problem of ${text}, not its value`, () => {
      const { value, fix: told } = refusedOnce(yaml(text.startsWith('env') ? `app: {${text}}` : text))
      assert.deepEqual([value, told], [name, fix])
    })
  }
})
