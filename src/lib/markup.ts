const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** HTML that is safe to send: only `markup` and `trusted` make it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | readonly Markup[];

/**
 * A template whose every value is escaped unless it is markup already, so that forgetting to escape is not possible.
 * Its own line breaks and indentation are left out. (The name is not `html`, under which formatters would rearrange it.)
 */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(
    strings.reduce((text, string, i) => text + (i === 0 ? '' : render(parts[i - 1] ?? '')) + flat(string), ''),
  );
}

function flat(template: string): string {
  return template.replace(/\n\s*/g, '');
}

/** Text of our own that is put in as it is: styles and scripts, never anything from outside. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function render(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
