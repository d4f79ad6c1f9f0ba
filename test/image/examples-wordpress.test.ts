// before a release: it installs 300 MB of packages
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { buildExample, runToEnd, startContainer, until } from './docker.ts'

const timeout = 600_000
const account = { user: 'admin', password: 'correct horse battery' }

/** A browser that keeps cookies, and sends forms. */
function openBrowser(origin: string) {
  const cookies = new Map<string, string>()
  async function visit(path: string, form?: Record<string, string> | { type: string; body: string }) {
    const isRaw = form !== undefined && 'body' in form && 'type' in form
    const body = form && (isRaw ? form.body : new URLSearchParams(form as Record<string, string>).toString())
    const response = await ask(`${origin}${path}`, {
      method: form ? 'POST' : 'GET',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form ? { 'content-type': isRaw ? (form.type as string) : 'application/x-www-form-urlencoded' } : {}),
      },
      ...(body === undefined ? {} : { body }),
      timeoutMs: 60_000,
    })
    for (const line of response.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return response
  }
  return visit
}

describe('examples/wordpress', () => {
  it('installation, login, upload, permalinks, cron, and no upload that is run', { timeout }, async t => {
    const image = await buildExample(t, 'wordpress')
    const container = await startContainer(t, { image, waits: false })
    await until(
      'WordPress',
      async () => (await ask(await container.https()).catch(() => undefined))?.status === 302,
      120_000,
    )
    const visit = openBrowser(await container.https())
    const installed = await visit('/wp-admin/install.php?step=2', {
      weblog_title: 'Shop',
      user_name: account.user,
      admin_password: account.password,
      admin_password2: account.password,
      pw_weak: 'on',
      admin_email: 'admin@example.com',
    })
    assert.match(installed.body, /Success/)
    await visit('/wp-login.php')
    const login = await visit('/wp-login.php', { log: account.user, pwd: account.password, testcookie: '1' })
    assert.equal(login.status, 302)
    assert.match((await visit('/wp-admin/')).body, /Dashboard/)

    const permalinks = '/wp-admin/options-permalink.php'
    const nonceIn = (text: string) => /name="_wpnonce" value="(\w+)"/.exec(text)?.[1] ?? assert.fail('no nonce')
    const page = (await visit(permalinks)).body
    assert.doesNotMatch(page, /value="\/index\.php\//)
    const structure = { _wpnonce: nonceIn(page), selection: '/%postname%/', permalink_structure: '/%postname%/' }
    await visit(permalinks, structure)
    assert.match((await visit('/hello-world/')).body, /Hello world/)
    assert.equal((await visit('/nothing/')).status, 404)
    assert.equal(JSON.parse((await visit('/wp-json/wp/v2/posts')).body).length, 1)

    const nonce = /"_wpnonce":"(\w+)"/.exec((await visit('/wp-admin/media-new.php')).body)?.[1] ?? assert.fail()
    const part = (rest: string, value: string) =>
      `--part\r\nContent-Disposition: form-data; name=${rest}\r\n\r\n${value}\r\n`
    const uploaded = await visit('/wp-admin/async-upload.php', {
      type: 'multipart/form-data; boundary=part',
      body: `${part('"action"', 'upload-attachment')}${part('"_wpnonce"', nonce)}${part('"async-upload"; filename="notes.txt"', 'uploaded')}--part--\r\n`,
    })
    const path = new URL(JSON.parse(uploaded.body).data.url).pathname
    assert.match(path, /^\/wp-content\/uploads\/.*notes.*\.txt$/)
    assert.equal((await visit(path)).body, 'uploaded')
    await container.exec('sh', '-c', `echo '<?php echo "executed";' >/data/uploads/evil.php`)
    assert.doesNotMatch((await visit('/wp-content/uploads/evil.php')).body, /^executed/)

    const cron = await container.exec('monohull', 'jobs', 'run', 'cron', '--wait')
    assert.equal(cron.code, 0, cron.stderr)
    // a roll
    const restarted = await container.exec('monohull', 'restart', 'app')
    assert.equal(restarted.code, 0, restarted.stderr)
    assert.match((await visit('/hello-world/')).body, /Hello world/)
  })
})

describe('PHP without PHP-FPM', () => {
  it('is a problem with its fix', { timeout }, async () => {
    const script = 'mkdir -p /tmp/site/public && touch /tmp/site/public/index.php && cd /tmp/site && monohull check'
    const { code, stdout, stderr } = await runToEnd([], ['sh', '-c', script])
    assert.notEqual(code, 0)
    assert.match(stdout + stderr, /is a PHP app, and php-fpm was not found[\s\S]*apt-get install php-fpm/)
  })
})
