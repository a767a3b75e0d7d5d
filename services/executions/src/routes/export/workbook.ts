/**
 * An Office Open XML workbook, zipped while its rows are read: a sheet at a time, and what names the sheets at the end, when it is
 * known how many there are.
 */
import { PassThrough, Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { Cell, Table } from './cells.ts';
import { sheet, sheetRowsMax, styles } from './sheet.ts';

/** Destroyed with the error of `pages` where they fail; destroying it ends `pages`. */
export const workbook = <Row>(table: Table<Row>, pages: AsyncIterable<readonly Row[]>, rowsMax = sheetRowsMax): Readable => {
  const zip = new ZipFile();
  const output = new PassThrough();
  zip.on('error', (error: Error) => output.destroy(error));
  zip.outputStream.pipe(output);
  void write(zip, table, pages, rowsMax, output).catch((error) => output.destroy(error as Error));
  return output;
};

const write = async <Row>(
  zip: ZipFile,
  table: Table<Row>,
  pages: AsyncIterable<readonly Row[]>,
  rowsMax: number,
  output: Readable,
): Promise<void> => {
  const rows = rowsOf(table, pages);
  const names = table.columns.map(([name]) => name);
  let sheets = 0;
  try {
    let ahead = await rows.next();
    const next = async (): Promise<readonly Cell[] | undefined> => {
      if (ahead.done) return undefined;
      const { value } = ahead;
      ahead = await rows.next();
      return value;
    };
    do {
      sheets += 1;
      const content = Readable.from(sheet(names, next, rowsMax), { objectMode: false });
      const stop = () => content.destroy();
      output.once('close', stop);
      zip.addReadStream(content, `xl/worksheets/sheet${sheets}.xml`);
      await finished(content);
      output.off('close', stop);
    } while (!ahead.done);
  } finally {
    await rows.return(undefined);
  }
  for (const [name, text] of partsOf(table.name, sheets)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
};

const rowsOf = async function* <Row>(
  { columns }: Table<Row>,
  pages: AsyncIterable<readonly Row[]>,
): AsyncGenerator<readonly Cell[], undefined> {
  for await (const page of pages) for (const row of page) yield columns.map(([, cell]) => cell(row));
};

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packaged = 'http://schemas.openxmlformats.org/package/2006';
const spreadsheet = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

const partsOf = (name: string, sheets: number): [name: string, text: string][] => {
  const each = (part: (number: number) => string) => Array.from({ length: sheets }, (_, index) => part(index + 1)).join('');
  return [
    [
      'xl/workbook.xml',
      `${xml}<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="${office}"><sheets>${each((number) => `<sheet name="${name} ${number}" sheetId="${number}" r:id="rId${number}"/>`)}</sheets></workbook>`,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      `${xml}<Relationships xmlns="${packaged}/relationships">${each((number) => `<Relationship Id="rId${number}" Type="${office}/worksheet" Target="worksheets/sheet${number}.xml"/>`)}<Relationship Id="rId${sheets + 1}" Type="${office}/styles" Target="styles.xml"/></Relationships>`,
    ],
    ['xl/styles.xml', styles],
    [
      '_rels/.rels',
      `${xml}<Relationships xmlns="${packaged}/relationships"><Relationship Id="rId1" Type="${office}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    ],
    [
      '[Content_Types].xml',
      `${xml}<Types xmlns="${packaged}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${spreadsheet}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${spreadsheet}.styles+xml"/>${each((number) => `<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="${spreadsheet}.worksheet+xml"/>`)}</Types>`,
    ],
  ];
};
