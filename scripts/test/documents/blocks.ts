/** The fenced blocks of a Markdown file. Those in `sh` are commands that must work when they are pasted; those in `console` are only shown. */

export interface Block {
  /** The first word behind the fence. */
  readonly language: string;
  /** Of its first line, as an editor counts. */
  readonly line: number;
  readonly text: string;
}

const opening = /^(\s*)(`{3,})([\w-]*)/;

export const blocksOf = (markdown: string): Block[] => {
  const blocks: Block[] = [];
  let open: { readonly fence: string; readonly indent: number; readonly language: string; readonly line: number } | undefined;
  let content: string[] = [];
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open === undefined) {
      const [, indent = '', fence, language = ''] = opening.exec(line) ?? [];
      if (fence === undefined) continue;
      open = { fence, indent: indent.length, language, line: index + 2 };
      content = [];
    } else if (line.trim() === open.fence) {
      blocks.push({ language: open.language, line: open.line, text: content.join('\n') });
      open = undefined;
    } else {
      // A block in a list is indented as its item is.
      content.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
    }
  }
  return blocks;
};
