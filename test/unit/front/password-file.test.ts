import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findBadPassword } from '../../../supervisor/front/password-file.ts'

const anne = 'anne:$apr1$abcdefgh$nq3OuEziq2D.ewdNJm/u./'

describe('front/password-file', () => {
  for (const [what, text] of [
    ['comments, empty lines and a comment behind the password', `# staff\n\n${anne}:since May\n`],
    ['the ends of lines of Windows', `# staff\r\n${anne}\r\n\r\n`],
    ['no end of the last line', anne],
    ['two names', `${anne}\nbert:{SSHA}x\n`],
  ] as const) {
    it(`accepts ${what}`, () => assert.equal(findBadPassword(text), undefined))
  }

  for (const [what, text, problem] of [
    ['nothing', '', 'contains no users'],
    ['nothing but comments', '# none\n', 'contains no users'],
    ['a password as it is', `${anne}\nbert:secret\n`, 'has no name with a securely hashed password in line 2'],
    ['an unsalted hash', 'anne:{SHA}x\n', 'has no name with a securely hashed password in line 1'],
    ['no name', anne.replace('anne', ''), 'has no name with a securely hashed password in line 1'],
    ['a name after a blank', ` ${anne}`, 'has no name with a securely hashed password in line 1'],
    ['a mark of byte order', `\uFEFF${anne}`, 'has no name with a securely hashed password in line 1'],
    ['a name twice', `${anne}\n\n${anne}`, 'repeats the name of line 1 in line 3'],
  ] as const) {
    it(`rejects ${what}`, () => assert.equal(findBadPassword(text), problem))
  }
})
