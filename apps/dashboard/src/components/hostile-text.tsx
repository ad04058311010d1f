import { useMemo } from 'react';
import { type Segment, segmentsOf } from '../domain/hostile-text.js';

/**
 * A text that an agent, or another person than the reader, wrote. It is shown as text only, isolated from the text around it,
 * with everything in it visible that would otherwise be invisible or change the direction of the text.
 */
export function HostileText({ text }: { readonly text: string }) {
  const segments = useMemo(() => segmentsOf(text), [text]);
  return (
    <bdi dir="ltr" className="hostile">
      {segments.map((segment, i) => (
        <SegmentView key={i} segment={segment} />
      ))}
    </bdi>
  );
}

function SegmentView({ segment }: { readonly segment: Segment }) {
  switch (segment.kind) {
    case 'text':
      return segment.text;
    case 'code_point':
      return (
        <span className="uni">
          <span className="sr">{segment.name} </span>⟦{segment.label}⟧
        </span>
      );
    case 'look_alike':
      return (
        <span className="uni">
          <span className="sr">{segment.name} </span>
          {segment.text}
          <small>{segment.label}</small>
        </span>
      );
    case 'host':
      return (
        <span className="uni">
          <span className="sr">host name as it is looked up: </span>
          {segment.name}
        </span>
      );
    case 'spaces':
      return <span className="uni">· {segment.count} spaces ·</span>;
    case 'blank_lines':
      return <span className="uni">· {segment.count} blank lines ·</span>;
  }
}
