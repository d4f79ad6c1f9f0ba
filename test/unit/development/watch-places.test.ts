import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { linkedPackages } from '../../../supervisor/development/adapters/linked-packages.ts'
import { selfWatching, watchPlaces } from '../../../supervisor/development/watch-places.ts'
import { isIgnored } from '../../../supervisor/development/watched.ts'

const app = (name: string, line: string) => ({
  name,
  context: { directory: `/site/${name}` },
  plan: line === '' ? undefined : { argv: line.split(' '), watchesItself: line.includes('vite') },
})

function placesOf(dev: { watch?: 'off' | string[] }, linked: Record<string, string[]> = {}) {
  const settings = {
    config: { directory: '/site/web', dev },
    apps: [app('web', 'node_modules/.bin/vite'), app('api', 'node server.js'), app('docs', '')],
    processes: [{ name: 'queue', directory: '/site/api', argv: ['node', 'queue.js'], watchesItself: false }],
  }
  const places = watchPlaces(settings, directory => linked[directory] ?? [])
  return {
    places: Object.fromEntries([...places].map(([path, programs]) => [path, programs.map(({ name }) => name).join()])),
    self: selfWatching(settings),
  }
}

describe('development/watch-places', () => {
  it('are the directories of programs and of their linked packages, except of programs that watch themselves', () => {
    assert.deepEqual(placesOf({}, { '/site/api': ['/site/lib'], '/site/web': ['/site/ui'] }), {
      places: { '/site/web': '', '/site/api': 'api,queue', '/site/lib': 'api,queue', '/site/docs': '' },
      self: ['web'],
    })
  })

  it('are those of dev.watch', () => {
    assert.deepEqual(placesOf({ watch: ['.', '../lib', '../api/src'] }), {
      places: { '/site/web': 'web', '/site/lib': 'web,api,docs,queue', '/site/api/src': 'api,queue' },
      self: [],
    })
    assert.deepEqual(placesOf({ watch: 'off' }), { places: {}, self: [] })
  })
})

describe('development/adapters/linked-packages', () => {
  it('follows links of a workspace, and none of a package manager', t => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'monohull-workspace-')))
    t.after(() => rmSync(root, { recursive: true }))
    const manifest = (directory: string, dependencies: Record<string, string>) => {
      mkdirSync(join(root, directory), { recursive: true })
      writeFileSync(join(root, directory, 'package.json'), JSON.stringify({ dependencies }))
    }
    const link = (path: string, target: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      symlinkSync(join(root, target), join(root, path))
    }
    manifest('apps/web', { '@acme/ui': '*', lodash: '*', gone: '*', local: '*', none: '*' })
    manifest('packages/ui', { base: 'workspace:*' })
    manifest('packages/base', { '@acme/ui': '*' })
    manifest('apps/web/local', {})
    manifest('node_modules/.pnpm/lodash/node_modules/lodash', {})
    link('node_modules/@acme/ui', 'packages/ui')
    link('packages/ui/node_modules/base', 'packages/base')
    link('apps/web/node_modules/lodash', 'node_modules/.pnpm/lodash/node_modules/lodash')
    link('apps/web/node_modules/gone', 'nowhere')
    link('apps/web/node_modules/local', 'apps/web/local')
    assert.deepEqual(linkedPackages(join(root, 'apps/web')), [join(root, 'packages/ui'), join(root, 'packages/base')])
    assert.deepEqual(linkedPackages(join(root, 'packages')), [])
  })
})

describe('development: names', () => {
  it('ignores paths, directories and patterns', () => {
    const entries = ['data.json', './src/generated/', '*.log', 'public/**/*.map']
    for (const path of [
      'data.json',
      'lib/data.json',
      'src/generated',
      'src/generated/a.ts',
      'x/y.log',
      'public/a/b.map',
    ])
      assert.ok(isIgnored(path, entries), path)
    for (const path of ['data.jsonx', 'src/other.ts', 'lib/src/generated/a.ts', 'y.log.ts', 'public/a.js'])
      assert.ok(!isIgnored(path, entries), path)
  })
})
