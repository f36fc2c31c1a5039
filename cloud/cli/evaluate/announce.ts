/** The fleet's own rule of verdicts, as an evaluation asks for it. */
import { createJudge, judgeWindow } from '../../../actors/dataplane/judge.ts';
import type { AnnounceRule } from '../../studio/evaluate/detector.ts';

export const announceRule: AnnounceRule = (rows, persistence) => {
  const judge = createJudge(rows);
  return (row, score) => {
    judgeWindow(judge, row, score, persistence);
    return judge.announced[row] === 1;
  };
};
