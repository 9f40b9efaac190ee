-- A database as the earlier system left it, before the six fields: its types, its own extra column, rows in every kind of ending.
-- No per cent sign anywhere: the driver would read it as a parameter.
CREATE TYPE owner_type AS ENUM ('coach', 'org');
CREATE TYPE video_session_status AS ENUM ('pending', 'uploaded', 'processing', 'ready', 'failed');
-- An early stage of the enum: the staged statuses came later.
CREATE TYPE video_analysis_job_status AS ENUM ('queued', 'processing', 'completed', 'failed', 'done');

CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('p2q3r4s5t6u7');

CREATE TABLE video_sessions (
    id VARCHAR PRIMARY KEY,
    owner_type owner_type NOT NULL,
    owner_id VARCHAR NOT NULL,
    title VARCHAR(255) NOT NULL,
    notes TEXT,
    player_ids VARCHAR[] NOT NULL,
    s3_bucket VARCHAR(255),
    s3_key VARCHAR(500),
    status video_session_status NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX ix_video_sessions_owner ON video_sessions (owner_type, owner_id);

CREATE TABLE video_analysis_jobs (
    id VARCHAR PRIMARY KEY,
    session_id VARCHAR NOT NULL REFERENCES video_sessions (id) ON DELETE CASCADE,
    sample_fps INTEGER NOT NULL,
    include_frames BOOLEAN NOT NULL,
    status video_analysis_job_status NOT NULL,
    error_message TEXT,
    sqs_message_id VARCHAR(255),
    results JSON,
    progress_pct INTEGER NOT NULL DEFAULT 0,
    stage VARCHAR(50),
    deep_enabled BOOLEAN NOT NULL DEFAULT true,
    quick_results JSON,
    deep_results JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    started_at TIMESTAMP,
    completed_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX ix_analysis_jobs_session_id ON video_analysis_jobs (session_id);
CREATE INDEX ix_analysis_jobs_sqs_message_id ON video_analysis_jobs (sqs_message_id);

INSERT INTO video_sessions VALUES ('s-old', 'coach', 'c1', 'Nets', NULL, ARRAY['p1', 'p2'], 'bucket', 'key.mp4', 'ready', '2025-12-01Z', '2025-12-01Z');

INSERT INTO video_analysis_jobs
    (id, session_id, sample_fps, include_frames, status, stage, progress_pct, sqs_message_id, results, quick_results, deep_results, started_at)
VALUES
    ('old-completed', 's-old', 10, false, 'completed', NULL, 0, 'm-1',
     '{"quick": {"pose_summary": {}}, "deep": {"pose_summary": {}, "findings": {"overall_level": "low", "findings": []}, "report": {"text": "From results."}}}',
     NULL, NULL, '2025-12-01 10:00'),
    ('old-done', 's-old', 10, false, 'done', 'DONE', 100, 'm-2', NULL,
     '{"findings": {"overall_level": "medium", "findings": []}, "report": {"text": "Quick."}}',
     '{"findings": {"overall_level": "high", "findings": []}, "report": {"text": "Deep."}}', '2025-12-01 11:00'),
    ('old-empty', 's-old', 10, false, 'done', 'DONE', 100, 'm-3', 'null', 'null', NULL, NULL),
    ('old-queued', 's-old', 10, false, 'queued', NULL, 0, NULL, NULL, NULL, NULL, NULL);
