// What <hitofude-pad> says, in the languages of the page that it stands in.

export type PadTexts = {
  pad: string;
  how: string;
  answer: string;
  undo: string;
  clear: string;
  nothing: string;
  unsure: string;
  none: string;
  /** One digit and its place, a list of them, and a number that is not sure. */
  one: (digit: number, place: string) => string;
  all: (list: string[]) => string;
  doubted: (number: string) => string;
  /** Row by row: the ninths of the pad. */
  places: string[];
};

const en: PadTexts = {
  pad: 'Drawing pad',
  how: 'Arrow keys move the pen, space puts it down and lifts it, Backspace undoes',
  answer: 'Answer',
  undo: 'Undo',
  clear: 'Clear',
  nothing: 'Nothing drawn',
  unsure: 'Not sure',
  none: 'No digit was found',
  one: (digit, place) => `${digit} ${place}`,
  all: (list) => `Found: ${list.join(', ')}`,
  doubted: (number) => `${number}, not sure`,
  places: [
    'at the left top', 'at the top', 'at the right top', 'at the left', 'in the middle', 'at the right', 'at the left bottom', 'at the bottom',
    'at the right bottom',
  ],
};

const ja: PadTexts = {
  pad: '手書きパッド',
  how: '矢印キーでペンを動かし、スペースキーで下ろしたり上げたりします。Backspace で元に戻します',
  answer: '答え',
  undo: '元に戻す',
  clear: '消す',
  nothing: '何も書かれていません',
  unsure: 'はっきりしません',
  none: '数字は見つかりませんでした',
  one: (digit, place) => `${place}に${digit}`,
  all: (list) => `見つかりました：${list.join('、')}`,
  doubted: (number) => `${number}（はっきりしません）`,
  places: ['左上', '上', '右上', '左', '中央', '右', '左下', '下', '右下'],
};

/** The texts in the language of an element: its own `lang`, or the page's. */
export const textsOf = (element: Element): PadTexts =>
  ((element.closest('[lang]') ?? document.documentElement).getAttribute('lang') ?? '').startsWith('ja') ? ja : en;
