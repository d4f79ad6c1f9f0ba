import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const examples = join(import.meta.dirname, '../../examples')
const names = readdirSync(examples, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? entry.name : []))
const linesOf = (...path: string[]) =>
  readFileSync(join(examples, ...path), 'utf8')
    .trimEnd()
    .split('\n')

/** What an image must not copy, by a file of the example. PHP serves the files beside its scripts. */
const kinds = [
  { file: 'server.js', made: ['node_modules'] },
  { file: 'index.php', made: ['Dockerfile'] },
  { file: 'public/index.php', made: ['Dockerfile'] },
  { file: 'wp-config.php', made: ['Dockerfile'] },
]

describe('the folders of examples/', () => {
  it('have a Dockerfile, and a page of one screen', () => {
    assert.ok(names.length > 10)
    for (const name of names) {
      assert.ok(existsSync(join(examples, name, 'Dockerfile')), name)
      assert.ok(linesOf(name, 'README.md').length <= 30, `${name}/README.md`)
    }
  })

  it('keep secrets and what a machine has made out of an image that copies everything', () => {
    const copying = names.filter(name => linesOf(name, 'Dockerfile').includes('COPY . .'))
    assert.ok(copying.length > 5)
    for (const name of copying) {
      const { made } = kinds.find(({ file }) => existsSync(join(examples, name, file))) ?? {
        made: ['.venv', '__pycache__'],
      }
      const ignored = existsSync(join(examples, name, '.dockerignore')) ? linesOf(name, '.dockerignore') : []
      for (const path of ['.env', '.git', ...made]) assert.ok(ignored.includes(path), `${name}/.dockerignore: ${path}`)
    }
  })

  it('keep the key that a page has one make out of the image', () => {
    for (const name of names) {
      const folder = /-keyout (\w+)\//.exec(linesOf(name, 'README.md').join('\n'))?.[1]
      if (folder) assert.ok(linesOf(name, '.dockerignore').includes(folder), name)
      assert.equal(folder !== undefined, name === 'https-gunicorn')
    }
  })
})
