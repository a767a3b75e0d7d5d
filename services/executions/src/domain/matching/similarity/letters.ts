/** A text as the units of UTF-16 that it is made of. */
export interface Letters {
  readonly units: Uint16Array;
  /** Which of 32 classes of letters there are: what only one of two texts has costs it an edit each. */
  readonly classes: number;
}

export const lettersOf = (text: string): Letters => {
  const units = new Uint16Array(text.length);
  let classes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    units[index] = unit;
    classes |= 1 << unit;
  }
  return { units, classes };
};
