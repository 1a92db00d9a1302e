import { describe, expect, it } from 'vitest';
import { markup, trusted } from '../../../src/lib/markup.ts';

describe('markup', () => {
  it('escapes every value, in text and in attributes', () => {
    const hostile = `<script>alert("1" & '2')</script>`;
    const escaped = '&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;';
    expect(markup`<p title="${hostile}">${hostile}</p>`.text).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  it('does not escape markup twice, and puts lists together', () => {
    const items = ['a', '<b>'].map((item) => markup`<li>${item}</li>`);
    expect(markup`<ul>${items}</ul>`.text).toBe('<ul><li>a</li><li>&lt;b&gt;</li></ul>');
    expect(markup`${[]}`.text).toBe('');
  });

  it('shows numbers, zero among them, and empty text', () => {
    expect(markup`${0}|${12.5}|${''}`.text).toBe('0|12.5|');
  });

  it('leaves out its own line breaks and indentation, and keeps those of values', () => {
    const log = 'one\n  two';
    expect(
      markup`
      <pre>
        ${log}
      </pre>
    `.text,
    ).toBe('<pre>one\n  two</pre>');
  });

  it('trusts only what is said to be trusted', () => {
    expect(markup`<style>${trusted('a > b {}')}</style>`.text).toBe('<style>a > b {}</style>');
  });
});
