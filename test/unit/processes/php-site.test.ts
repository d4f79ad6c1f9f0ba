import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseFpm, findDocumentRoot } from '../../../supervisor/processes/php-site.ts'

const tree = (...files: string[]) => ({ isFile: (path: string) => files.includes(path) })

describe('processes/php-site', () => {
  it('the document root is public before the directory itself', () => {
    assert.equal(findDocumentRoot('.', tree('./index.php', 'public/index.php')), 'public')
    assert.equal(findDocumentRoot('.', tree('./index.php')), '.')
    assert.equal(findDocumentRoot('site/', tree('site/public/index.php')), 'site/public')
    assert.equal(findDocumentRoot('site', tree('site/index.html')), undefined)
  })

  it('php-fpm without a version, else the newest', () => {
    assert.equal(chooseFpm(['php-fpm8.2', 'php-fpm', 'nginx']), 'php-fpm')
    assert.equal(chooseFpm(['php-fpm8.2', 'php-fpm8.10', 'php-fpm7.4']), 'php-fpm8.10')
    assert.equal(chooseFpm(['php-fpm84', 'php8.4', 'php-fpm-old']), 'php-fpm84')
    assert.equal(chooseFpm(['php8.2', 'nginx']), undefined)
  })
})
