import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isUnfitPath } from '../../../supervisor/nginx/text.ts'
import { resolveApp } from '../../../supervisor/workers/adapters/app-settings.ts'
import { app } from '../../../supervisor/workers/keys.ts'

describe('nginx/text', () => {
  for (const path of ['/srv/a$b', '/srv/a"b', '/srv/a\\b', '/srv/a;b', '/srv/{a', '/srv/a}', '/srv/a\nb', '/srv/a\tb'])
    it(`rejects ${JSON.stringify(path)}, which nginx would misread`, () => assert.ok(isUnfitPath(path)))

  for (const path of ['/srv/a b', "/srv/a'b", '/srv/ü', '/srv/a:b@c', '/srv/[a]*?'])
    it(`accepts ${path}`, () => assert.ok(!isUnfitPath(path)))
})

describe('workers/adapters/app-settings', () => {
  it('rejects a directory of static files whose path nginx would misread', t => {
    const parent = mkdtempSync(join(tmpdir(), 'monohull-content-'))
    t.after(() => rmSync(parent, { recursive: true }))
    const contentOf = (name: string) => {
      const directory = join(parent, name)
      mkdirSync(directory)
      writeFileSync(join(directory, 'index.html'), 'hello')
      const problems: string[] = []
      const settings = resolveApp('app', {
        app: { ...app.parse({ directory }), graceful_timeout: 8000 },
        world: { env: {}, home: '/', umask: 0o022 },
        runDir: '/run/monohull',
        order: undefined,
        cpus: 1,
        nginxUser: undefined,
        complain: (_, __, problem) => problems.push(problem),
      })
      return { kind: settings?.content.kind, problems }
    }
    assert.deepEqual(contentOf('plain folder'), { kind: 'files', problems: [] })
    const problems = ['contains characters that nginx would misread in a path']
    assert.deepEqual(contentOf('a$b'), { kind: undefined, problems })
  })
})
