import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { succeeded } from '../../../supervisor/certificates/acme/adapters/responses.ts'

/** Message for a response that refuses with a problem. */
function refusal(problem: object, headers: Record<string, string> = {}): string {
  try {
    succeeded({ status: 403, headers, text: JSON.stringify(problem) }, 0)
  } catch (error) {
    return (error as Error).message
  }
  return assert.fail('it succeeded')
}

describe('certificates/acme: responses', () => {
  const type = 'urn:ietf:params:acme:error:userActionRequired'
  const detail = 'Terms of service have changed'
  const link = '<https://ca.test/directory>;rel="index", <https://ca.test/terms/2>; rel="terms-of-service"'
  const cases: [string, object, Record<string, string>, string][] = [
    [
      'its page',
      { instance: 'https://ca.test/agreement?token=a' },
      { link },
      'open https://ca.test/agreement?token=a and',
    ],
    ['its terms', {}, { link }, 'open https://ca.test/terms/2 and do what it asks for'],
    [
      'its terms, not a page that is none',
      { instance: 'javascript:alert(1)' },
      { link },
      'open https://ca.test/terms/2 and',
    ],
    [
      'its terms, not text',
      { instance: 'https://ca.test/\n2026 forged line' },
      { link },
      'open https://ca.test/terms/2 and',
    ],
    ['the account', { instance: 7 }, {}, 'sign in to the account with the CA, and do what it asks for'],
  ]
  for (const [what, problem, headers, fix] of cases) {
    it(`name ${what} if somebody must act`, () => {
      const message = refusal({ type, detail, ...problem }, headers)
      assert.ok(message.startsWith(`the CA responded 403: ${detail} (userActionRequired); ${fix}`), message)
    })
  }

  it('name nothing for another problem', () => {
    const other = { type: 'urn:ietf:params:acme:error:unauthorized', detail: 'no', instance: 'https://ca.test/x' }
    assert.equal(refusal(other, { link }), 'the CA responded 403: no (unauthorized)')
  })
})
