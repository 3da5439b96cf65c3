/**
 * Block Kit's limits, in characters (UTF-16 units) or items.
 *
 * @see https://docs.slack.dev/reference/block-kit/blocks
 * @see https://docs.slack.dev/reference/block-kit/block-elements
 * @see https://docs.slack.dev/reference/block-kit/composition-objects
 * @see https://docs.slack.dev/reference/views/modal-views
 */
export const LIMITS = {
  /** https://docs.slack.dev/reference/block-kit/blocks */
  blocksOfMessage: 50,
  blocksOfView: 100,
  blockId: 255,
  actionId: 255,
  /** https://docs.slack.dev/reference/block-kit/blocks/section-block */
  sectionText: 3000,
  sectionFields: 10,
  sectionField: 2000,
  /** https://docs.slack.dev/reference/block-kit/blocks/header-block */
  header: 150,
  /** https://docs.slack.dev/reference/block-kit/blocks/context-block */
  contextElements: 10,
  /** https://docs.slack.dev/reference/block-kit/composition-objects/text-object */
  text: 3000,
  /** https://docs.slack.dev/reference/block-kit/blocks/actions-block */
  actionsElements: 25,
  /** https://docs.slack.dev/reference/block-kit/blocks/image-block */
  imageUrl: 3000,
  altText: 2000,
  imageTitle: 2000,
  /** https://docs.slack.dev/reference/block-kit/blocks/input-block */
  label: 2000,
  hint: 2000,
  /** https://docs.slack.dev/reference/block-kit/block-elements/button-element */
  buttonText: 75,
  buttonUrl: 3000,
  buttonValue: 2000,
  accessibilityLabel: 75,
  /** https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element */
  placeholder: 150,
  options: 100,
  optionGroups: 100,
  /**
   * https://docs.slack.dev/reference/block-kit/composition-objects/option-object; @slack/types says 75, the page 150
   */
  optionText: 75,
  optionValue: 75,
  optionDescription: 75,
  optionUrl: 3000,
  /** https://docs.slack.dev/reference/block-kit/block-elements/radio-button-group-element */
  radioOptions: 10,
  checkboxes: 10,
  /** https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element */
  overflowOptions: 5,
  /** https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element */
  inputLength: 3000,
  /** https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object */
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
  /** https://docs.slack.dev/reference/views/modal-views */
  viewTitle: 24,
  viewButton: 24,
  privateMetadata: 3000,
  callbackId: 255,
  externalId: 255,
  /** https://docs.slack.dev/reference/methods/views.open (view_too_large) */
  viewBytes: 250_000,
} as const;
