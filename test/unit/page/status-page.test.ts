import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { buildStatusPage } from '../../../tools/status-page.ts'

describe('tools/status-page', () => {
  it('builds one file of at most 60 KB that loads nothing else and has no inline style or handler', async () => {
    const page = await buildStatusPage()
    assert.ok(page.length <= 60 * 1024, `${page.length} bytes`)
    const html = gunzipSync(page).toString()
    assert.equal(html.match(/<script>/g)?.length, 1)
    assert.equal(html.match(/<style>/g)?.length, 1)
    const body = html.replace(/<script>[\s\S]*<\/script>/, '')
    assert.doesNotMatch(body, /src=|href="(?!data:)|@import|url\(|style=|\son\w+=/)
    assert.ok(body.includes('.u-over'), 'the style is there')
  })
})
