// needs: php-cli php-fpm
import assert from 'node:assert/strict'
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { makeClientAuthority } from '../client-authority.ts'
import { pagesForUsers } from '../markdown.ts'
import { fixture, startMonohull, temporaryFolder } from './monohull.ts'

const code = pagesForUsers().flatMap(page => page.code)
const configurations = code.filter(({ language, text }) => language === 'yaml' && !text.startsWith('apiVersion:'))

const programs = [
  'server',
  'api',
  'web',
  'orders',
  'invoices',
  'consumer',
  'invoices',
  'migrate',
  'orders',
  'report',
  'report-death',
  'web',
].map(name => `${name}.js`)
const packageJson = JSON.stringify({ scripts: { start: 'node server.js', migrate: 'node migrate.js' } })

/** What the configurations name. */
const files: Record<string, string> = {
  ...Object.fromEntries(
    ['.', 'site'].flatMap(folder => [
      [`${folder}/package.json`, packageJson],
      ...programs.map(program => [`${folder}/${program}`, '']),
    ]),
  ),
  'api/main.py': '',
  'manage.py': '',
  'public/index.html': '',
  'private/report.pdf': '',
  'errors/404.html': '<p>Nothing here</p>',
  'staff.htpasswd': 'anne:$2y$05$8giLvWn6avjHz0J6uG0i/u632qMJMc.4qedB64slLeNy94I8pfVLK\n',
  'secrets/database_password': 'secret',
  'leave-balancer.sh': '#!/bin/sh\n',
}

function folderFor(t: TestContext, configuration: string): string {
  const folder = temporaryFolder(t, {
    ...files,
    'monohull.yaml': configuration.replace('/run/secrets/', 'secrets/'),
    ...(/^ {2}php:/m.test(configuration) ? { 'public/index.php': '', artisan: '' } : {}),
  })
  chmodSync(join(folder, 'leave-balancer.sh'), 0o755)
  const authority = makeClientAuthority(join(folder, 'authority'), 'clients')
  copyFileSync(authority.file, join(folder, 'clients-ca.pem'))
  copyFileSync(authority.revoked, join(folder, 'revoked.pem'))
  return folder
}

describe('monohull check', { concurrency: 2 }, () => {
  for (const { at, text } of configurations)
    it(`takes what ${at} shows`, async t => {
      const checked = startMonohull(t, {
        folder: folderFor(t, text),
        args: ['check'],
        // they are for an app called app, which some do not have
        env: { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined },
      })
      const status = await checked.exited
      const isTooOld = /cannot serve HTTP\/3: the installed nginx/.test(checked.output())
      if (!isTooOld) assert.equal(status, 0, checked.output())
    })
})

describe('the nginx.conf that the guide shows', () => {
  it('is all that one of your own needs', async t => {
    const shown = code.find(({ language, text }) => language === 'nginx' && text.includes('rendered/http.conf'))
    assert.ok(shown)
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      files: { 'monohull.yaml': 'nginx: { config: nginx.conf }\n', 'nginx.conf': shown.text },
    })
    await monohull.serving()
    assert.equal((await monohull.request()).status, 200)
    assert.equal((await monohull.request({ scheme: 'http' })).status, 308)
  })
})
