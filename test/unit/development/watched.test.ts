import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isWatchedDirectory, isWatchedFile } from '../../../supervisor/development/watched.ts'

const argv = ['node', 'server.js']

describe('development/watched', () => {
  for (const path of ['server.js', 'src/a/b.tsx', 'views/page.ejs', '.env', '.env.local', 'config/app.yaml', 'main.py'])
    it(`watches ${path}`, () => assert.equal(isWatchedFile(path, argv), true))

  for (const path of [
    'server.js.swp',
    'server.js~',
    'app.log',
    'data.sqlite',
    '.git/config.json',
    'node_modules/express/index.js',
    'packages/one/node_modules/x/index.js',
    '__pycache__/main.cpython-313.pyc',
    'dist/server.js',
    'uploads/photo.jpg',
  ])
    it(`ignores ${path}`, () => assert.equal(isWatchedFile(path, argv), false))

  it('watches build output if the command names it', () => {
    assert.equal(isWatchedFile('dist/server.js', ['node', 'dist/server.js']), true)
    assert.equal(isWatchedDirectory('build', ['node', './dist/server.js']), false)
    assert.equal(isWatchedDirectory('packages/api/build', ['node', 'packages/api/build/index.js']), true)
  })
})
