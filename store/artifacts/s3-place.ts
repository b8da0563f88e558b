/** Where artifacts lie in a bucket, and how one gets there. */
export interface S3Place {
  readonly bucket: string;
  /** Before every key; without slashes at its ends, empty for none. */
  readonly prefix: string;
  /** Of a server that is not AWS; undefined: AWS. Such servers are asked with the bucket in the path. */
  readonly endpoint: string | undefined;
  /** Undefined: as the AWS configuration of this machine says. */
  readonly region: string | undefined;
  /** Undefined: as AWS's own chain finds them (profile, role of the machine or pod). Never logged. */
  readonly credentials:
    | {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken: string | undefined;
      }
    | undefined;
}

export function keyIn({ prefix }: Pick<S3Place, 'prefix'>, name: string): string {
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** As people write it, and as `aws s3 cp` reads it. */
export function addressOf(place: Pick<S3Place, 'bucket' | 'prefix'>, name = ''): string {
  const key = keyIn(place, name);
  return `s3://${place.bucket}${key === '' ? '' : `/${key.replace(/\/$/, '')}`}`;
}

/** Who answers there, for messages: no path, no user. */
export function hostOf({ endpoint }: Pick<S3Place, 'endpoint'>): string {
  return endpoint === undefined ? 'AWS' : new URL(endpoint).host;
}
