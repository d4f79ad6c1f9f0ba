import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isWatchedDirectory, isWatchedFile } from '../../../supervisor/development/watched.ts'

const argv = ['node', 'server.js']

describe('domain/watched', () => {
  for (const path of ['server.js', 'src/a/b.tsx', 'views/page.ejs', '.env', '.env.local', 'config/app.yaml', 'main.py'])
    it(`${path} is the app's`, () => assert.equal(isWatchedFile(path, argv), true))

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
    it(`${path} is not`, () => assert.equal(isWatchedFile(path, argv), false))

  it('what a build writes counts when the app runs out of it', () => {
    assert.equal(isWatchedFile('dist/server.js', ['node', 'dist/server.js']), true)
    assert.equal(isWatchedDirectory('build', ['node', './dist/server.js']), false)
    assert.equal(isWatchedDirectory('packages/api/build', ['node', 'packages/api/build/index.js']), true)
  })
})
