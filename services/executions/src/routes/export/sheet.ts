/** One worksheet of an Office Open XML workbook, as text that is written while it is read. */
import type { Cell } from './cells.ts';

/** What the format allows. */
export const sheetRowsMax = 1_048_576;
const cellCharactersMax = 32_767;
/** Doubles are exact that far, and spreadsheets show no more. */
const exactDigitsMax = 15;
const chunkCharacters = 64 * 1_024;

/** Index into the cell formats of `styles`. */
const headerStyle = 1;
const dateStyle = 2;
const firstAmountStyle = 3;
const amountDecimalsMax = 6;

const formats = [
  'yyyy-mm-dd',
  ...Array.from({ length: amountDecimalsMax + 1 }, (_, decimals) => (decimals === 0 ? '0' : `0.${'0'.repeat(decimals)}`)),
];

export const styles = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="${formats.length}">${formats
  .map((format, index) => `<numFmt numFmtId="${164 + index}" formatCode="${format}"/>`)
  .join(
    '',
  )}</numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="${formats.length + 2}"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>${formats
  .map((_, index) => `<xf numFmtId="${164 + index}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>`)
  .join('')}</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`;

/** Takes rows from `next`, under the names of their columns, until there are no more, or the sheet is full. */
export const sheet = async function* (
  names: readonly string[],
  next: () => Promise<readonly Cell[] | undefined>,
  rowsMax: number,
): AsyncGenerator<string> {
  const header = names.map((name, column) => textXml(name, `${lettersOf(column)}1`, headerStyle)).join('');
  let text = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData><row r="1">${header}</row>`;
  for (let row = 2; row <= rowsMax; row += 1) {
    const cells = await next();
    if (cells === undefined) break;
    text += `<row r="${row}">${cells.map((cell, column) => cellXml(cell, `${lettersOf(column)}${row}`)).join('')}</row>`;
    if (text.length < chunkCharacters) continue;
    yield text;
    text = '';
  }
  yield `${text}</sheetData></worksheet>`;
};

/** `A`, …, `Z`, `AA`, …: by the index of a column. */
const lettersOf = (column: number): string =>
  (column < 26 ? '' : String.fromCharCode(64 + Math.floor(column / 26))) + String.fromCharCode(65 + (column % 26));

const cellXml = (cell: Cell, at: string): string => {
  if (cell === undefined) return '';
  const { type, value } = cell;
  if (type === 'number') {
    const [whole = '', fraction = ''] = value.split('.');
    if (/e/.test(value)) return `<c r="${at}"><v>${value}</v></c>`;
    if ((whole + fraction).replace(/^-?0*/, '').length <= exactDigitsMax) {
      const style = fraction.length > amountDecimalsMax ? 0 : firstAmountStyle + fraction.length;
      return `<c r="${at}" s="${style}"><v>${value}</v></c>`;
    }
  }
  const days = type === 'date' ? serialDay(value) : undefined;
  return days === undefined ? textXml(value, at, 0) : `<c r="${at}" s="${dateStyle}"><v>${days}</v></c>`;
};

const dayMs = 86_400_000;
/** Spreadsheets believe in the 29th of February 1900: only after it are their days those of everybody else. */
const serialDay = (day: string): number | undefined => {
  const serial = (Date.parse(day) - Date.UTC(1899, 11, 30)) / dayMs;
  return serial > 60 ? serial : undefined;
};

const textXml = (value: string, at: string, style: number): string => {
  const shown = value.length > cellCharactersMax ? `${value.slice(0, cellCharactersMax - 1)}…` : value;
  return `<c r="${at}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(shown)}</t></is></c>`;
};

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };
/** What XML cannot hold is replaced; what the format would read as an escape of its own is escaped by it. */
const escaped = (value: string): string =>
  value
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replaceAll(/_(?=x[0-9a-f]{4}_)/gi, '_x005F_')
    .replaceAll(/[&<>\r]/g, (character) => entities[character] as string);
