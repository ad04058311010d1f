import { type ComponentProps, type ReactNode, useId } from 'react';

interface LabelledProps {
  readonly label: string;
  /** Beside the label, in a lighter colour. */
  readonly hint?: string;
  /** Below the field, read with it. */
  readonly help?: ReactNode;
  /** What is wrong with the value. */
  readonly fault?: string | undefined;
}

function useLabelled({ label, hint, help, fault }: LabelledProps) {
  const id = useId();
  const described = [help === undefined ? '' : `${id}h`, fault === undefined ? '' : `${id}f`].filter(Boolean);
  return {
    attributes: {
      id,
      ...(described.length === 0 ? {} : { 'aria-describedby': described.join(' ') }),
      ...(fault === undefined ? {} : { 'aria-invalid': true }),
    },
    before: (
      <label className="lab" htmlFor={id}>
        {label}
        {hint === undefined ? null : <span className="dim"> {hint}</span>}
      </label>
    ),
    after: (
      <>
        {help === undefined ? null : (
          <p className="fine" id={`${id}h`}>
            {help}
          </p>
        )}
        {fault === undefined ? null : (
          <p className="fault" id={`${id}f`}>
            {fault}
          </p>
        )}
      </>
    ),
  };
}

type FieldProps<E extends 'input' | 'textarea' | 'select'> = LabelledProps & Omit<ComponentProps<E>, 'id'>;

export function TextField({ label, hint, help, fault, ...rest }: FieldProps<'input'> & LabelledProps) {
  const { attributes, before, after } = useLabelled({ label, fault, ...given({ hint, help }) });
  return (
    <div>
      {before}
      <input className="text" {...rest} {...attributes} />
      {after}
    </div>
  );
}

export function TextArea({ label, hint, help, fault, ...rest }: FieldProps<'textarea'>) {
  const { attributes, before, after } = useLabelled({ label, fault, ...given({ hint, help }) });
  return (
    <div>
      {before}
      <textarea {...rest} {...attributes} />
      {after}
    </div>
  );
}

export function Select({ label, hint, help, fault, children, ...rest }: FieldProps<'select'>) {
  const { attributes, before, after } = useLabelled({ label, fault, ...given({ hint, help }) });
  return (
    <div>
      {before}
      <select className="text" {...rest} {...attributes}>
        {children}
      </select>
      {after}
    </div>
  );
}

export function Checkbox({ label, help, ...rest }: Omit<FieldProps<'input'>, 'hint' | 'fault'>) {
  const id = useId();
  return (
    <div className="check">
      <input
        type="checkbox"
        {...rest}
        id={id}
        {...(help === undefined ? {} : { 'aria-describedby': `${id}h` })}
      />
      <label htmlFor={id}>{label}</label>
      {help === undefined ? null : (
        <p className="fine" id={`${id}h`}>
          {help}
        </p>
      )}
    </div>
  );
}

/** Leaves out what is undefined, for optional members that must not hold it. */
function given({ hint, help }: { hint: string | undefined; help: ReactNode }) {
  return { ...(hint === undefined ? {} : { hint }), ...(help === undefined ? {} : { help }) };
}
