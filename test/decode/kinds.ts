/** The beginning of bzip2 of no bytes. */
export const bzip2Magic = Buffer.from('BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0', 'latin1');

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What a supplier may send instead of a CSV: what it is called, and how it begins. */
export const contents: readonly (readonly [string, Buffer])[] = [
  ['bzip2', latin1('BZh91AY&SY\x94\x05\x9b')],
  ['bzip2', bzip2Magic],
  ['xz', latin1('\xfd7zXZ\0\0\x04\xe6')],
  ['7-Zip', latin1('7z\xbc\xaf\x27\x1c\0\x04')],
  ['RAR', latin1('Rar!\x1a\x07\x01\0')],
  ['PDF', latin1('%PDF-1.7\n%\xe2\xe3')],
  ['Parquet', latin1('PAR1\x15\x04\x15\x10')],
  ['ORC', latin1('ORC\x0a\x03\x01')],
  ['Avro', latin1('Obj\x01\x04\x16avro.schema')],
  ['Arrow', latin1('ARROW1\0\0')],
  ['SQLite', latin1('SQLite format 3\0\x10')],
  ['old Office (xls, doc)', latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0')],
  ['PGP', latin1('-----BEGIN PGP MESSAGE-----\n\nhQEM')],
  ['PGP', latin1('\x85\x01\x0c\x03\x12\x34')],
  ['PGP', latin1('\x8c\x0d\x04\x09\x03\x08')],
  ['HTML (perhaps an error page)', latin1('\n <!DOCTYPE html>\n<html><head>')],
  ['HTML (perhaps an error page)', Buffer.from('\uFEFF<HTML lang="en">')],
  ['HTML (perhaps an error page)', latin1('<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">')],
  ['XML', latin1('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>')],
  ['PNG', latin1('\x89PNG\r\n\x1a\n\0')],
  ['JPEG', latin1('\xff\xd8\xff\xe0\0\x10')],
  ['a program (ELF)', latin1('\x7fELF\x02\x01')],
  ['a program (Windows)', latin1('MZ\x90\0\x03')],
  ['RTF', latin1('{\\rtf1\\ansi')],
];
